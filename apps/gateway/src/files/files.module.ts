import { Module } from '@nestjs/common';
import { FilesController } from './files.controller.js';
import { FilesService } from './files.service.js';
import { UploadsController } from './uploads.controller.js';

@Module({ controllers: [FilesController, UploadsController], providers: [FilesService], exports: [FilesService] })
export class FilesModule {}
